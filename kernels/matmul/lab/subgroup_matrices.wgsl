// The builtins of subgroup matrices, as matmul_gemm_matrix.wgsl calls them: apart, so that a spec can put plain loops in their place.
// Places and strides count elements of the array in workgroup memory: vec4s.
alias Left = subgroup_matrix_left<Factor, K, M>; // columns, then rows
alias Right = subgroup_matrix_right<Factor, N, K>;
alias Result = subgroup_matrix_result<f32, N, M>;

fn load_left(place: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&x_tile, place, 8u); }

fn load_right(place: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&w_tile, place, 16u); }

fn multiply_add(left: Left, right: Right, sum: Result) -> Result { return subgroupMatrixMultiplyAccumulate(left, right, sum); }

fn store_result(place: u32, result: Result) { subgroupMatrixStore<row_major>(&results, place, result, N / 4u); }
