// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for one row, without subgroups.
// An invocation owns four columns and walks k alone: a barrier in the product costs software adapters 6 to 25 times the work (a
// workgroup a row with a tree in workgroup memory). k goes in blocks of four, so that a load brings 16 bytes.
// Layout: x: input_plain.wgsl or input_normed.wgsl, which also set `lanes` and prepare the row
//   weight, bias, y: bindings.wgsl or normed_bindings.wgsl; eight blocks of a group share a scale
@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, lane: Lane) {
  let row = workgroup.y;
  let blocks = params.inner / 4u;
  let first = (params.first_row + row) * blocks;
  prepare_input(first, blocks, lane, lanes);
  let group_index = workgroup.x * lanes + lane.index;
  if (group_index >= params.groups) { return; }
  let group = params.first_group + group_index;
  var sum = vec4<f32>();
  for (var chunk = 0u; chunk * 8u < blocks; chunk++) {
    let scale = chunk_scale(chunk, group, blocks);
    let end = min(chunk * 8u + 8u, blocks);
    for (var k = chunk * 8u; k < end; k++) {
      let a = input(first, k);
      let block = load_block(k, group, blocks, scale);
      sum += a.x * row0(block) + a.y * row1(block) + a.z * row2(block) + a.w * row3(block);
    }
  }
  store(row, group, sum);
}
