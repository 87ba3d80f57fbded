// Fills y with values in [-1, 1) from a hash of the index: memory that compresses would look faster than it is.
struct Params { size: u32, seed: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (workgroup.y * count.x + workgroup.x) * 64u + local;
  if (i >= params.size) { return; }
  var h = (i + params.seed) * 0x9e3779b1u;
  h = (h ^ (h >> 16u)) * 0xc2b2ae35u;
  h = h ^ (h >> 13u);
  y[i] = f32(h) / 2147483648.0 - 1.0;
}
