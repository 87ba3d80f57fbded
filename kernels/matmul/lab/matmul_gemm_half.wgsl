// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl): gemm_tiled with factors and sums of four products in
// f16, accumulated in f32, for GPUs with shader-f16 (Dawn on NVIDIA and SwiftShader have none). Half the workgroup memory a tile.
// It is off by up to 1e-3 of the largest value, which is why nothing takes it by itself: tokens would differ from transformers'.
// A factor past 65504 becomes infinite.
// Layout: x [rows, inner/4] of vec4
//   weight, bias, y: bindings.wgsl
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;

const tile_rows = 8u * lane_rows;
var<workgroup> x_tile: array<vec4<f16>, tile_rows * 8u>; // [tile_rows, 8 blocks]
var<workgroup> w_tile: array<vec4<f16>, 512>; // [32 k, 16 groups]

@compute @workgroup_size(16, 8)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let group_index = workgroup.x * 16u + local.x;
  let group = params.first_group + min(group_index, params.groups - 1u);
  let row = workgroup.y * tile_rows + local.y * lane_rows;
  let blocks = params.inner / 4u;
  // What this lane loads of x: block `column` of rows 16 apart.
  let index = local.y * 16u + local.x;
  let column = index % 8u;
  let x_row = workgroup.y * tile_rows + index / 8u;
  var sums: array<vec4<f32>, lane_rows>;
  for (var chunk = 0u; chunk * 8u < blocks; chunk++) {
    // Load the tiles of this step.
    let k_own = chunk * 8u + column;
    for (var i = 0u; i < tile_rows / 16u; i++) {
      var value = vec4<f32>();
      if (k_own < blocks) { value = x[(params.first_row + min(x_row + 16u * i, params.rows - 1u)) * blocks + k_own]; }
      x_tile[(index / 8u + 16u * i) * 8u + column] = vec4<f16>(value);
    }
    let block = load_block(min(chunk * 8u + local.y, blocks - 1u), group, blocks, chunk_scale(chunk, group, blocks));
    let w_first = local.y * 64u + local.x;
    w_tile[w_first] = vec4<f16>(row0(block));
    w_tile[w_first + 16u] = vec4<f16>(row1(block));
    w_tile[w_first + 32u] = vec4<f16>(row2(block));
    w_tile[w_first + 48u] = vec4<f16>(row3(block));
    workgroupBarrier();

    // Multiply them.
    for (var k = 0u; k < 8u; k++) {
      let a_first = local.y * lane_rows * 8u + k;
      let b_first = k * 64u + local.x;
      let w0 = w_tile[b_first];
      let w1 = w_tile[b_first + 16u];
      let w2 = w_tile[b_first + 32u];
      let w3 = w_tile[b_first + 48u];
      for (var i = 0u; i < lane_rows; i++) {
        let a = x_tile[a_first + 8u * i];
        sums[i] += vec4<f32>(a.x * w0 + a.y * w1 + a.z * w2 + a.w * w3);
      }
    }
    workgroupBarrier();
  }

  // Store.
  if (group_index >= params.groups) { return; }
  for (var i = 0u; i < lane_rows; i++) {
    if (row + i < params.rows) { store(row + i, group, sums[i]); }
  }
}
