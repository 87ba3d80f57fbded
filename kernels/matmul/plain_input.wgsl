// The input of a GEMV: x as it is. x: [rows, inner].
@group(0) @binding(0) var<storage, read> x: array<f32>;

fn prepare_input(row: u32, lane: u32, lanes: u32) {}

// Value k of a row of x whose first element is `first`.
fn input(first: u32, k: u32) -> f32 { return x[first + k]; }
