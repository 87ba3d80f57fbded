// Scores that pass through the three kernels of a strip (some neighbouring queries).
// Layout: scores [heads, queries, row_quads] of vec4: quad i of a row holds keys 4 i to 4 i + 3, the last quad the row's sum.
fn row_quads() -> u32 { return (params.keys + 3u) / 4u + 1u; }
