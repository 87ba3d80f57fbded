// What the three kernels of attention by strips share: a strip is some neighbouring queries, whose scores with all keys lie
// in storage between the kernels. scores: [heads, rows, row_quads] of vec4, rows = queries of the strip; quad i of a row
// holds keys 4 i to 4 i + 3, and the last quad the sum of the row's weights.
struct Params {
  first_query: u32,   // of the strip
  rows: u32,
  keys: u32,          // all, or as many as the strip's last query sees
  heads: u32,
  head_dim: u32,      // a multiple of four
  past: u32,
  causal: u32,
  has_mask: u32,
  scale: f32,
  q_first: u32,       // first elements and strides of rows of vectors, all multiples of four
  q_stride: u32,
  k_first: u32,
  k_stride: u32,
  v_first: u32,
  v_stride: u32,
  y_first: u32,
}

fn row_quads() -> u32 { return (params.keys + 3u) / 4u + 1u; }
