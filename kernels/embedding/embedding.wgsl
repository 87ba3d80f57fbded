// y[r] = sum_{q < tables} table[q][ids[r, q]] (+ position_table[positions[r]]).
// Token and position embedding of a GPT (tables = 1), the codebook-summed input of Bark's fine model, and the residual codebooks of
// EnCodec (no positions). An invocation owns four neighbouring values of one row.
// Layout: ids: (r, q) at id_first + r * id_row_stride + q * id_table_stride, so that ids may lie in a decode state
//   table [tables, vocabulary, ceil(width/4)] of Weight4
//   positions: row r's at position_first + r * position_stride; position_table [n, ceil(width/4)] of Weight4
//   y [rows, width]
// Ids and positions past their table read its last entry: a row that decodes on after its cache is full (its tokens are dropped)
// has such positions, and without Dawn's robustness (engine/node/dawn.ts) they would read other memory.
struct Params {
  rows: u32,
  width: u32,
  tables: u32,
  vocabulary: u32,          // rows of one table
  id_first: u32,
  id_row_stride: u32,
  id_table_stride: u32,
  has_positions: u32,
  position_first: u32,
  position_stride: u32,
}
@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> table: array<Weight4>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read> position_table: array<Weight4>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let stride = (params.width + 3u) / 4u;
  let group = workgroup.x * 32u + local;
  let row = workgroup.y;
  if (group >= stride) { return; }
  var sum = vec4<f32>();
  for (var q = 0u; q < params.tables; q++) {
    let given = ids[params.id_first + row * params.id_row_stride + q * params.id_table_stride];
    let id = min(given, params.vocabulary - 1u);
    sum += unpack_weight(table[(q * params.vocabulary + id) * stride + group]);
  }
  if (params.has_positions != 0u) {
    let given = positions[params.position_first + row * params.position_stride];
    let position = min(given, arrayLength(&position_table) / stride - 1u);
    sum += unpack_weight(position_table[position * stride + group]);
  }
  for (var i = 0u; i < 4u; i++) {
    let column = group * 4u + i;
    if (column < params.width) { y[row * params.width + column] = sum[i]; }
  }
}
