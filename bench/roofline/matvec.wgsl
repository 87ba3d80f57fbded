// y = x W in the form that is fastest on software adapters: one invocation owns four columns and walks k alone, unrolled
// by four. x: [inner]; W: [inner, groups] of vec4; inner is a multiple of four. The floor that a decode is held against.
struct Params { inner: u32, groups: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  let column = global.x;
  let stride = params.groups;
  if (column >= stride) { return; }
  var sum = vec4<f32>();
  for (var k = 0u; k < params.inner / 4u; k++) {
    let v = x[k];
    let w = 4u * k * stride + column;
    sum += weight[w] * v.x + weight[w + stride] * v.y + weight[w + 2u * stride] * v.z + weight[w + 3u * stride] * v.w;
  }
  y[column] = sum;
}
