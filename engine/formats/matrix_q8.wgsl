// Matrix format q8: value = integer of 8 bits times the scale of its column in its chunk of 32 rows (engine/q8.ts).
// [chunks, 9, groups] of vec4<u32>: the scales of four neighbouring columns as f32 bits, then eight blocks of four rows by
// four columns, a word a row, its columns from the lowest byte on. So a load of 16 bytes is a whole block, and scales need
// no binding of their own.
alias Matrix4 = vec4<u32>;
struct Block { quants: vec4<u32>, scale: vec4<f32> }

fn chunk_scale(chunk: u32, group: u32, stride: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(weight[9u * chunk * stride + group]);
}

fn load_block(block: u32, group: u32, stride: u32, scale: vec4<f32>) -> Block {
  return Block(weight[(block + block / 8u + 1u) * stride + group], scale);
}

fn row0(block: Block, stride: u32) -> vec4<f32> { return block.scale * vec4<f32>(unpack4xI8(block.quants.x)); }
fn row1(block: Block, stride: u32) -> vec4<f32> { return block.scale * vec4<f32>(unpack4xI8(block.quants.y)); }
fn row2(block: Block, stride: u32) -> vec4<f32> { return block.scale * vec4<f32>(unpack4xI8(block.quants.z)); }
fn row3(block: Block, stride: u32) -> vec4<f32> { return block.scale * vec4<f32>(unpack4xI8(block.quants.w)); }
