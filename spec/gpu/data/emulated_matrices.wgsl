// kernels/matmul/lab/subgroup_matrices.wgsl in plain loops, so that matmul_gemm_matrix.wgsl runs where no adapter has subgroup
// matrices. What stays untested are the builtins. A factor is the place of its matrix in the tile; of a result a lane holds every
// so-manieth value, at most a quarter, since any subgroup has four lanes or more.
struct Left { place: u32 }
struct Right { place: u32 }
struct Result { values: array<f32, M * N / 4u> }

// This lane and how many there are.
fn lane_of() -> vec2<u32> { return vec2<u32>(subgroupExclusiveAdd(1u), subgroupAdd(1u)); }

fn load_left(place: u32) -> Left { return Left(place); }

fn load_right(place: u32) -> Right { return Right(place); }

fn multiply_add(left: Left, right: Right, sum: Result) -> Result {
  let lane = lane_of();
  var result = sum;
  for (var own = 0u; own < M * N / lane.y; own++) {
    let row = (own * lane.y + lane.x) / N;
    let column = (own * lane.y + lane.x) % N;
    for (var k = 0u; k < K; k++) {
      let factor = f32(x_tile[left.place + row * 8u + k / 4u][k % 4u]);
      result.values[own] += factor * f32(w_tile[right.place + k * 16u + column / 4u][column % 4u]);
    }
  }
  return result;
}

fn store_result(place: u32, result: Result) {
  let lane = lane_of();
  var values = result.values; // Of a value no element can be picked by a variable index.
  for (var own = 0u; own < M * N / lane.y; own++) {
    let i = own * lane.y + lane.x;
    results[place + i / 4u][i % 4u] = values[own];
  }
}
