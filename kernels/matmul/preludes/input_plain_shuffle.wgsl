// input(k) = x[4 k..4 k + 3]: the input of matmul_gemv_shuffle.wgsl, x as it is.
// Layout: x [rows, inner/4] of vec4
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;

struct Prepared { unused: u32 }
fn prepare_input(first: u32, blocks: u32, lane: u32, lanes: u32) -> Prepared { return Prepared(0u); }

// Values 4 k to 4 k + 3 of the row of x that starts at `first`.
fn input(first: u32, k: u32, prepared: Prepared) -> vec4<f32> { return x[first + k]; }
