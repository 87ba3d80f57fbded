// input = sum_c exp(m_c - max m) o_c / sum_c exp(m_c - max m) l_c (Dao et al. 2023, "Flash-Decoding"): the parts that
// attention_decode_chunks.wgsl left of each head (weighted sum o, largest score m, sum of weights l), merged for
// matmul_gemv_split.wgsl. To merge here saves a dispatch, and a workgroup repeats only a few loads.
// Layout: x [rows, chunks, heads, head_quads + 1] of vec4, the last (m, l, 0, 0)
//   weight: blocks (engine/formats/matrix_*.wgsl); bias [columns], read if has_bias
//   state [rows, 4], whose second is the position (kernels/decode_state.ts)
//   y [rows, columns]
// At most 512 pairs of a head and a chunk: they lie in workgroup memory.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<Matrix4>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> state: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

override head_quads: u32;   // vec4 of a head
override chunks: u32;   // of the whole cache
struct Lane { @builtin(local_invocation_index) index: u32 }

const chunk_keys = 128u;
const most_parts = 512u;
const lowest = -3.4028234e38;
var<workgroup> scores: array<f32, most_parts>;   // [chunk, head]: the largest score, then the share of the chunk
var<workgroup> masses: array<f32, most_parts>;   // [chunk, head]: the sum of the weights

fn heads() -> u32 { return params.inner / 4u / head_quads; }

// Chunks that hold keys. A row past the end of the cache stays on its last slot.
fn chunks_in_use(row: u32) -> u32 { return min(state[row * 4u + 1u] / chunk_keys + 1u, chunks); }

// First quad of a chunk's head.
fn part_of(row: u32, chunk: u32, head: u32) -> u32 {
  return ((row * chunks + chunk) * heads() + head) * (head_quads + 1u);
}

fn prepare_input(first: u32, blocks: u32, lane: Lane, lanes: u32) {
  let row = first / blocks;
  let count = chunks_in_use(row) * heads();
  // Pass 1: fetch. All lanes do, so that they wait once; what follows stays in workgroup memory.
  for (var i = lane.index; i < count; i += lanes) {
    let part = x[part_of(row, i / heads(), i % heads()) + head_quads];
    scores[i] = part.x;
    masses[i] = part.y;
  }
  workgroupBarrier();
  // Pass 2: the share of each chunk in its head.
  for (var head = lane.index; head < heads(); head += lanes) {
    var most = lowest;
    for (var i = head; i < count; i += heads()) { most = max(most, scores[i]); }
    var total = 0.0;
    for (var i = head; i < count; i += heads()) {
      let share = exp(scores[i] - most);
      scores[i] = share;
      total += share * masses[i];
    }
    for (var i = head; i < count; i += heads()) { scores[i] /= total; }
  }
  workgroupBarrier();
}

// A chunk's part of values 4 k to 4 k + 3 of the row; zero for a chunk that is not one of the `used`.
fn part(row: u32, chunk: u32, used: u32, k: u32) -> vec4<f32> {
  let head = k / head_quads;
  let inside = min(chunk, used - 1u);
  let share = select(0.0, scores[inside * heads() + head], chunk < used);
  return share * x[part_of(row, inside, head) + k % head_quads];
}

// Values 4 k to 4 k + 3 of the prepared row: four chunks at a time, whose loads are in flight together.
fn input(first: u32, k: u32) -> vec4<f32> {
  let row = first / (params.inner / 4u);
  let used = chunks_in_use(row);
  var value = vec4<f32>();
  for (var i = 0u; i < used; i += 4u) {
    value += part(row, i, used, k) + part(row, i + 1u, used, k) + part(row, i + 2u, used, k) + part(row, i + 3u, used, k);
  }
  return value;
}
