// Matrix format f32: [blocks, 4, groups] of vec4<f32>, one vec4 four neighbouring columns of one row. A block of four rows
// by four columns is loaded row by row where it is used, so its handle is the index of its first row: a struct of loaded
// rows costs SwiftShader, which keeps it in memory, 40 % of a product.
alias Matrix4 = vec4<f32>;
alias Block = u32;

fn chunk_scale(chunk: u32, group: u32, stride: u32) -> vec4<f32> { return vec4<f32>(1.0); }

fn load_block(block: u32, group: u32, stride: u32, scale: vec4<f32>) -> Block { return 4u * block * stride + group; }

fn row0(block: Block, stride: u32) -> vec4<f32> { return weight[block]; }
fn row1(block: Block, stride: u32) -> vec4<f32> { return weight[block + stride]; }
fn row2(block: Block, stride: u32) -> vec4<f32> { return weight[block + 2u * stride]; }
fn row3(block: Block, stride: u32) -> vec4<f32> { return weight[block + 3u * stride]; }
