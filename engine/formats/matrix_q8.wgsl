// row i of block b = integer of 8 bits * scale of its column in its chunk of 32 rows (engine/q8.ts).
// A load of 16 bytes is a whole block of four rows by four columns, and scales need no binding of their own.
// Layout: weight [panels, chunks, 9, 8] of vec4<u32>, in panels as matrix_f32.wgsl: for each group the scales of its four columns as
// f32 bits, then eight blocks of four rows, a word a row, its columns from the lowest byte on
alias Matrix4 = vec4<u32>;
struct Block { quants: vec4<u32>, scale: vec4<f32> }

// Where the scales of a chunk begin; a group has `blocks` blocks.
fn chunk_start(chunk: u32, group: u32, blocks: u32) -> u32 {
  let chunks = (blocks + 7u) / 8u;
  return (group / 8u * chunks + chunk) * 72u + group % 8u;
}

fn chunk_scale(chunk: u32, group: u32, blocks: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(weight[chunk_start(chunk, group, blocks)]);
}

fn load_block(block: u32, group: u32, blocks: u32, scale: vec4<f32>) -> Block {
  return Block(weight[chunk_start(block / 8u, group, blocks) + (block % 8u + 1u) * 8u], scale);
}

fn row0(block: Block) -> vec4<f32> { return block.scale * vec4<f32>(unpack4xI8(block.quants.x)); }
fn row1(block: Block) -> vec4<f32> { return block.scale * vec4<f32>(unpack4xI8(block.quants.y)); }
fn row2(block: Block) -> vec4<f32> { return block.scale * vec4<f32>(unpack4xI8(block.quants.z)); }
fn row3(block: Block) -> vec4<f32> { return block.scale * vec4<f32>(unpack4xI8(block.quants.w)); }
