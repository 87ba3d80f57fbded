// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for any shape.
// The plainest version: an invocation owns four columns of one row and walks k alone. It reads x value by value, so that rows of
// any width may follow each other; the others read vec4 and need an inner width that is a multiple of four.
// Layout: x [rows, inner]
//   weight, bias, y: bindings.wgsl
// Past the end of a row x counts as 0: the next row may hold infinities there, and 0 times infinity is NaN.
@group(0) @binding(0) var<storage, read> x: array<f32>;

// x[first + k], and 0 past the end of the row: what lies there may be infinite, and 0 times that is no number.
fn value(first: u32, k: u32) -> f32 {
  if (k >= params.inner) { return 0.0; }
  return x[first + k];
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let group_index = workgroup.x * 32u + local;
  if (group_index >= params.groups) { return; }
  let group = params.first_group + group_index;
  let row = workgroup.y;
  let first = (params.first_row + row) * params.inner;
  let blocks = (params.inner + 3u) / 4u;
  var sum = vec4<f32>();
  for (var k = 0u; k < params.inner; k += 4u) {
    let block = load_block(k / 4u, group, blocks, chunk_scale(k / 32u, group, blocks));
    sum += value(first, k) * row0(block) + value(first, k + 1u) * row1(block)
      + value(first, k + 2u) * row2(block) + value(first, k + 3u) * row3(block);
  }
  store(row, group, sum);
}
