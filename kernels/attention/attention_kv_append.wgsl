// k_cache[first + i] = qkv[qkv_row + i, width..2 width], v_cache likewise: copies K and V of a prefill into a cache.
// Layout: qkv [rows, 3 * width]
//   k_cache, v_cache [*, width], from element `first` on
struct Params { rows: u32, width: u32, first: u32, qkv_row: u32 }
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> k_cache: array<f32>;
@group(0) @binding(2) var<storage, read_write> v_cache: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let column = workgroup.x * 32u + local;
  let row = workgroup.y;
  if (column >= params.width) { return; }
  let source = (params.qkv_row + row) * 3u * params.width + params.width + column;
  let slot = params.first + row * params.width + column;
  k_cache[slot] = qkv[source];
  v_cache[slot] = qkv[source + params.width];
}
