// row i of block b = halves of weight[..]: a matrix in f16, in panels and blocks as matrix_f32.wgsl.
// One vec4 is two rows of a group, so that a load is of 16 bytes as in f32: a load costs software adapters nearly the same whatever
// its width. Packed two to a u32, low half first; no shader-f16, which NVIDIA and SwiftShader lack.
// Layout: weight [panels, blocks, 2, 8] of vec4<u32>
alias Matrix4 = vec4<u32>;
struct Block { upper: vec4<u32>, lower: vec4<u32> }

fn chunk_scale(chunk: u32, group: u32, blocks: u32) -> vec4<f32> { return vec4<f32>(1.0); }

fn load_block(block: u32, group: u32, blocks: u32, scale: vec4<f32>) -> Block {
  let index = (group / 8u * blocks + block) * 16u + group % 8u;
  return Block(weight[index], weight[index + 8u]);
}

fn halves(low: u32, high: u32) -> vec4<f32> { return vec4<f32>(unpack2x16float(low), unpack2x16float(high)); }

fn row0(block: Block) -> vec4<f32> { return halves(block.upper.x, block.upper.y); }
fn row1(block: Block) -> vec4<f32> { return halves(block.upper.z, block.upper.w); }
fn row2(block: Block) -> vec4<f32> { return halves(block.lower.x, block.lower.y); }
fn row3(block: Block) -> vec4<f32> { return halves(block.lower.z, block.lower.w); }
