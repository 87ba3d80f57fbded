// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl) by subgroup matrices: gemm_tiled, whose tiles the
// matrix units of a GPU multiply. A workgroup owns tile_rows rows by 64 columns, a subgroup of it matrices_down by matrices_across
// result matrices of M by N in f32: each matrix loaded from the tiles is multiplied that often. matrix_*.wgsl in front says M, N, K
// and the type of the factors: f16 is off by up to 1e-3 of the largest value, as gemm_half, and infinite past 65504.
// Layout: x [rows, inner/4] of vec4
//   weight, bias, y: bindings.wgsl
// Results go through workgroup memory, because a matrix is stored whole: it would write past the last row and column of y, and
// bias and GELU are of single values.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;

const lanes = 128u;
const subgroup_rows = M * matrices_down;
const subgroup_groups = N / 4u * matrices_across;
const subgroups_across = 16u / subgroup_groups;
const subgroups = tile_rows / subgroup_rows * subgroups_across;
const matrix_size = M * N / 4u;

var<workgroup> x_tile: array<vec4<Factor>, tile_rows * 8u>; // [tile_rows, 8 blocks]
var<workgroup> w_tile: array<vec4<Factor>, 512>; // [32 k, 16 groups]
var<workgroup> results: array<vec4<f32>, subgroups * matrix_size>; // [subgroups, M, N/4]

// Where the part of a subgroup begins in the workgroup's tile.
fn first_row(subgroup: u32) -> u32 { return subgroup / subgroups_across * subgroup_rows; }
fn first_group(subgroup: u32) -> u32 { return subgroup % subgroups_across * subgroup_groups; }

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32,
        @builtin(subgroup_id) subgroup: u32) {
  let blocks = params.inner / 4u;
  // What this lane loads: block `column` of rows of x 16 apart, block `index / 16` of a group of W.
  let column = index % 8u;
  let x_row = workgroup.y * tile_rows + index / 8u;
  let group = params.first_group + min(workgroup.x * 16u + index % 16u, params.groups - 1u);
  var sums: array<Result, matrices_down * matrices_across>;
  for (var chunk = 0u; chunk * 8u < blocks; chunk++) {
    // Load the tiles of this step: past the end zeros of x, and of W what is inside.
    let k_own = chunk * 8u + column;
    for (var i = 0u; i < tile_rows / 16u; i++) {
      var value = vec4<f32>();
      if (k_own < blocks) { value = x[(params.first_row + min(x_row + 16u * i, params.rows - 1u)) * blocks + k_own]; }
      x_tile[(index / 8u + 16u * i) * 8u + column] = vec4<Factor>(value);
    }
    let block = load_block(min(chunk * 8u + index / 16u, blocks - 1u), group, blocks, chunk_scale(chunk, group, blocks));
    let w_first = index / 16u * 64u + index % 16u;
    w_tile[w_first] = vec4<Factor>(row0(block));
    w_tile[w_first + 16u] = vec4<Factor>(row1(block));
    w_tile[w_first + 32u] = vec4<Factor>(row2(block));
    w_tile[w_first + 48u] = vec4<Factor>(row3(block));
    workgroupBarrier();

    // Multiply them. Where subgroups are smaller than the prelude counts on, those left over only load.
    if (subgroup < subgroups) {
      for (var k = 0u; k < 32u; k += K) {
        var left: array<Left, matrices_down>;
        for (var i = 0u; i < matrices_down; i++) { left[i] = load_left((first_row(subgroup) + i * M) * 8u + k / 4u); }
        for (var j = 0u; j < matrices_across; j++) {
          let right = load_right(k * 16u + first_group(subgroup) + j * N / 4u);
          for (var i = 0u; i < matrices_down; i++) {
            let own = i * matrices_across + j;
            sums[own] = multiply_add(left[i], right, sums[own]);
          }
        }
      }
    }
    workgroupBarrier();
  }

  // Store one matrix of each subgroup after the other.
  for (var i = 0u; i < matrices_down; i++) {
    for (var j = 0u; j < matrices_across; j++) {
      if (subgroup < subgroups) { store_result(subgroup * matrix_size, sums[i * matrices_across + j]); }
      workgroupBarrier();
      for (var at = index; at < subgroups * matrix_size; at += lanes) {
        let owner = at / matrix_size;
        let row = workgroup.y * tile_rows + first_row(owner) + i * M + at % matrix_size / (N / 4u);
        let result_group = workgroup.x * 16u + first_group(owner) + j * N / 4u + at % (N / 4u);
        if (row < params.rows && result_group < params.groups) { store(row, params.first_group + result_group, results[at]); }
      }
      workgroupBarrier();
    }
  }
}
