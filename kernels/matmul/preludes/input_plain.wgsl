// input(k) = x[4 k..4 k + 3]: the input of matmul_gemv.wgsl and matmul_gemv_split.wgsl, x as it is.
// Layout: x [rows, inner/4] of vec4
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;

const lanes = 32u;   // of matmul_gemv.wgsl
struct Lane { @builtin(local_invocation_index) index: u32 }

fn prepare_input(first: u32, blocks: u32, lane: Lane, lanes: u32) {}

// Values 4 k to 4 k + 3 of the row of x that starts at `first`.
fn input(first: u32, k: u32) -> vec4<f32> { return x[first + k]; }
