// gemm_tiled: tiles of 64 rows, 8 a lane; 16 KiB of workgroup memory.
const lane_rows = 8u;
