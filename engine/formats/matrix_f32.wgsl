// Matrix format f32: [panels, blocks, 4, 8] of vec4<f32>, one vec4 four neighbouring columns (a group) of one row, a block
// four rows of it, a panel eight groups: who walks down a few columns reads one stretch of memory. Rows of the whole width,
// each of its own page, take lavapipe 1.2 times as long in a product of one row.
// A block is loaded row by row where it is used, so its handle is the index of its first row: a struct of loaded rows costs
// SwiftShader, which keeps it in memory, 40 % of a product.
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
