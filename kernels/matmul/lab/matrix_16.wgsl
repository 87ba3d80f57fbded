// gemm_matrix_16: matrices of 16 x 16 in f16, four a subgroup, as NVIDIA has them; 12 KiB of workgroup memory.
alias Factor = f16;
const M = 16u;
const N = 16u;
const K = 16u;
const tile_rows = 64u;
const matrices_down = 2u;
const matrices_across = 2u;
