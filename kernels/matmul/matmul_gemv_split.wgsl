// y[r, n] = sum_k x[r, k] * W[k, n] (+ bias, GELU, accumulate: epilogue.wgsl), for one row or a few, on a GPU.
// 256 lanes own `workgroup_groups` groups of four columns (chooseSplit: 2, 4 or 8) and split k over the lanes that are left, so
// that neighbours read neighbouring bytes of W and 768 columns make workgroups enough: 10 to 45 times as fast as matmul_gemv.wgsl
// on an H100. A lane has the loads of four blocks in flight; the first four start before the input is prepared.
// Layout: x: input_plain.wgsl, input_normed_split.wgsl or input_attended_split.wgsl, which also prepare the row
//   weight, bias, y: bindings.wgsl, normed_bindings.wgsl or input_attended_split.wgsl
// Lanes past the last group repeat it, so that every lane reaches the barriers with loads in bounds.
var<workgroup> sums: array<vec4<f32>, 256>;

// Block k of W; past the end the last one, which `product` drops.
fn block_at(k: u32, group: u32, blocks: u32) -> Block {
  let inside = min(k, blocks - 1u);
  return load_block(inside, group, blocks, chunk_scale(inside / 8u, group, blocks));
}

fn product(first: u32, k: u32, block: Block) -> vec4<f32> {
  if (k >= params.inner / 4u) { return vec4<f32>(); }
  let a = input(first, k);
  return a.x * row0(block) + a.y * row1(block) + a.z * row2(block) + a.w * row3(block);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, lane: Lane) {
  let width = params.workgroup_groups;
  let height = 256u / width;
  let column = lane.index % width;
  let part = lane.index / width;
  let row = workgroup.y;
  let blocks = params.inner / 4u;
  let first = (params.first_row + row) * blocks;
  let group = params.first_group + min(workgroup.x * width + column, params.groups - 1u);

  var k = part;
  var b0 = block_at(k, group, blocks);
  var b1 = block_at(k + height, group, blocks);
  var b2 = block_at(k + 2u * height, group, blocks);
  var b3 = block_at(k + 3u * height, group, blocks);
  prepare_input(first, blocks, lane, 256u);
  var sum = vec4<f32>();
  loop {
    sum += product(first, k, b0);
    sum += product(first, k + height, b1);
    sum += product(first, k + 2u * height, b2);
    sum += product(first, k + 3u * height, b3);
    k += 4u * height;
    if (k >= blocks) { break; }
    b0 = block_at(k, group, blocks);
    b1 = block_at(k + height, group, blocks);
    b2 = block_at(k + 2u * height, group, blocks);
    b3 = block_at(k + 3u * height, group, blocks);
  }
  // The sums over k, to eight lanes a group, then to one.
  sums[lane.index] = sum;
  workgroupBarrier();
  if (part < 8u) {
    for (var i = part + 8u; i < height; i += 8u) { sum += sums[i * width + column]; }
    sums[lane.index] = sum;
  }
  workgroupBarrier();
  // One lane a column: a lane with four columns would wait for what y holds four times.
  let own = lane.index / 4u;
  if (own >= width || workgroup.x * width + own >= params.groups) { return; }
  var total = 0.0;
  for (var i = 0u; i < 8u; i++) { total += sums[i * width + own][lane.index % 4u]; }
  store_column(row, 4u * (params.first_group + workgroup.x * width + own) + lane.index % 4u, total);
}
