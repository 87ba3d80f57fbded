// row i of block b = weight[..]: a matrix in f32. A vec4 is four neighbouring columns (a group) of one row, a block four rows of
// a group, a panel eight groups (32 columns), so that a walk down a few columns reads contiguous memory: rows over the full width
// cost lavapipe 1.2 times the time of a product of one row, with a page for each row.
// Layout: weight [panels, blocks, 4, 8] of vec4<f32>
// A handle of a block is the index of its first row, and rows load where they are used: SwiftShader keeps a struct of loaded rows
// in memory, at 40 % of a product.
alias Matrix4 = vec4<f32>;
alias Block = u32;

fn chunk_scale(chunk: u32, group: u32, blocks: u32) -> vec4<f32> { return vec4<f32>(1.0); }

// Block `block` of the `blocks` of a group.
fn load_block(block: u32, group: u32, blocks: u32, scale: vec4<f32>) -> Block {
  return (group / 8u * blocks + block) * 32u + group % 8u;
}

fn row0(block: Block) -> vec4<f32> { return weight[block]; }
fn row1(block: Block) -> vec4<f32> { return weight[block + 8u]; }
fn row2(block: Block) -> vec4<f32> { return weight[block + 16u]; }
fn row3(block: Block) -> vec4<f32> { return weight[block + 24u]; }
