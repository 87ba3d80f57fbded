// The input of a GEMV on a GPU: what attention_decode_chunks.wgsl leaves, merged. Of every chunk of the cache that is in
// use it holds, for each head, the weighted sum of the values, the largest score and the sum of the weights; the sums count
// in proportion of exp(largest score - the largest of all) (Dao et al. 2023, "Flash-Decoding"). Merging here saves a
// dispatch, and every workgroup repeats little: a few loads for each of its own.
// x: [rows, chunks, heads, head_quads + 1] of vec4, the last one (largest score, sum of weights); state: [rows, 4], the
// second of which is the position (kernels/state.ts). At most 512 pairs of a head and a chunk.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<Matrix4>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> state: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

struct Lane { @builtin(local_invocation_index) index: u32 }

const chunk_keys = 128u;
const lowest = -3.4028234e38;
var<workgroup> shares: array<f32, 512>;   // [chunk, head]

fn heads() -> u32 { return params.inner / 4u / params.head_quads; }

// Chunks that hold keys. A row that ran past the cache stays on its last slot.
fn chunks_in_use(row: u32) -> u32 { return min(state[row * 4u + 1u] / chunk_keys + 1u, params.chunks); }

// First quad of a chunk's head.
fn part_of(row: u32, chunk: u32, head: u32) -> u32 {
  return ((row * params.chunks + chunk) * heads() + head) * (params.head_quads + 1u);
}

fn prepare_input(first: u32, blocks: u32, lane: Lane, lanes: u32) {
  let row = first / blocks;
  let chunks = chunks_in_use(row);
  for (var head = lane.index; head < heads(); head += lanes) {
    var most = lowest;
    for (var i = 0u; i < chunks; i++) { most = max(most, x[part_of(row, i, head) + params.head_quads].x); }
    var total = 0.0;
    for (var i = 0u; i < chunks; i++) {
      let part = x[part_of(row, i, head) + params.head_quads];
      let share = exp(part.x - most);
      shares[i * heads() + head] = share;
      total += share * part.y;
    }
    for (var i = 0u; i < chunks; i++) { shares[i * heads() + head] /= total; }
  }
  workgroupBarrier();
}

// Values 4 k to 4 k + 3 of the row that was prepared.
fn input(first: u32, k: u32) -> vec4<f32> {
  let row = first / (params.inner / 4u);
  let head = k / params.head_quads;
  let chunks = chunks_in_use(row);
  var value = vec4<f32>();
  for (var i = 0u; i < chunks; i++) {
    value += shares[i * heads() + head] * x[part_of(row, i, head) + k % params.head_quads];
  }
  return value;
}
