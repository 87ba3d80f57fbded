// Params of the attention of many queries.
struct Params {
  queries: u32,
  keys: u32,
  heads: u32,
  head_dim: u32,
  past: u32,      // position of query 0: query i stands at past + i
  causal: u32,    // 1: query i sees no key after its position
  has_mask: u32,
  scale: f32,     // 1 / sqrt(head_dim)
  q_first: u32,   // element where row 0 of q begins, and from one row to the next; so q, k and v may share a buffer
  q_stride: u32,
  k_first: u32,
  k_stride: u32,
  v_first: u32,
  v_stride: u32,
  y_first: u32,   // element of y where query 0 begins
}
