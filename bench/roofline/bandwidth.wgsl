// Reads x once and leaves sums, so that no load can be left out: the bandwidth that a kernel can reach here.
// One invocation reads `count` vec4 that are `step` apart from `first`: neighbouring lanes read neighbouring memory if
// `step` is the number of invocations, or each lane walks through memory of its own if `step` is 1.
struct Params { invocations: u32, count: u32, lane_step: u32, step: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  let lane = global.x;
  if (lane >= params.invocations) { return; }
  var i = lane * params.lane_step;
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
  for (var n = 0u; n < params.count; n += 4u) {
    s0 += x[i];
    s1 += x[i + params.step];
    s2 += x[i + 2u * params.step];
    s3 += x[i + 3u * params.step];
    i += 4u * params.step;
  }
  let s = s0 + s1 + s2 + s3;
  y[lane] = s.x + s.y + s.z + s.w;
}
