// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for one row or a few.
// One invocation owns four columns of one row and walks k alone: no barrier and no workgroup memory, which cost software
// adapters 6 to 25 times (a workgroup a row with a shared-memory tree). k is unrolled by four to hide the loads.
// The input comes from plain_input.wgsl or normed_input.wgsl. x: [rows, inner]; W: [inner, ceil(columns/4)] of Weight4.
@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = workgroup.y;
  prepare_input(row, local, 32u);
  let group_index = workgroup.x * 32u + local;
  if (group_index >= params.groups) { return; }
  let group = params.first_group + group_index;
  let x_row = (params.first_row + row) * params.inner;
  let stride = weight_stride();
  var sum = vec4<f32>();
  var w_index = group;
  let whole = params.inner & 0xfffffffcu;
  for (var k = 0u; k < whole; k += 4u) {
    sum += input(x_row, k) * unpack_weight(weight[w_index])
      + input(x_row, k + 1u) * unpack_weight(weight[w_index + stride])
      + input(x_row, k + 2u) * unpack_weight(weight[w_index + 2u * stride])
      + input(x_row, k + 3u) * unpack_weight(weight[w_index + 3u * stride]);
    w_index += 4u * stride;
  }
  for (var k = whole; k < params.inner; k++) {
    sum += input(x_row, k) * unpack_weight(weight[w_index]);
    w_index += stride;
  }
  store(row, group, sum);
}
