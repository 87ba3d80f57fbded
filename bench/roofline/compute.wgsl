// Chains of fused multiply-adds that do not depend on each other: the arithmetic rate that a kernel can reach here.
// Each step of the loop is 8 chains of vec4: 64 floating-point operations.
struct Params { invocations: u32, steps: u32, factor: f32 }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  if (global.x >= params.invocations) { return; }
  // Values that only the run knows, and that stay finite: |factor| < 1.
  let f = vec4<f32>(params.factor);
  let g = vec4<f32>(f32(global.x & 7u) * params.factor);
  var a = g; var b = g + 1.0; var c = g + 2.0; var d = g + 3.0;
  var e = g + 4.0; var h = g + 5.0; var i = g + 6.0; var j = g + 7.0;
  for (var n = 0u; n < params.steps; n++) {
    a = fma(a, f, g); b = fma(b, f, g); c = fma(c, f, g); d = fma(d, f, g);
    e = fma(e, f, g); h = fma(h, f, g); i = fma(i, f, g); j = fma(j, f, g);
  }
  let s = a + b + c + d + e + h + i + j;
  y[global.x] = s.x + s.y + s.z + s.w;
}
