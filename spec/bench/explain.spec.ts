import { expect } from "chai";
import { bench } from "../../bench/cli.ts";
import { readDriverTexts } from "../../bench/explain/driver_texts.ts";
import { marker } from "../../bench/explain/job.ts";
import { EngineError } from "../../engine/errors.ts";

const spirv = `
               OpName %x "x"
          %1 = OpVariable %_ptr_StorageBuffer__struct_3 StorageBuffer
          %t = OpVariable %_ptr_Workgroup__arr Workgroup
       %main = OpFunction %void None %24
         %30 = OpAccessChain %_ptr_StorageBuffer_v4float %1 %uint_0 %i
         %31 = OpLoad %v4float %30 None
         %32 = OpAccessChain %_ptr_Workgroup_v4float %t %uint_0
               OpStore %32 %31 None
               OpControlBarrier %uint_2 %uint_2 %uint_264
         %33 = OpLoad %v4float %s
         %34 = OpExtInst %v4float %58 Fma %31 %33 %33
               OpLoopMerge %52 %50 None
               OpStore %30 %34 None
`;
const nir = `shader: MESA_SHADER_COMPUTE
workgroup_size: 64, 1, 1
impl dawn_entry_point {
    32     %2 = load_const (0x00000000)
    loop {
        32    %18 = @load_ssbo (%17, %16) (access=readonly)
        32    %19 = fadd %12, %18
        @barrier () (execution_scope=WORKGROUP)
        if %19 {
            32    %20 = ffma %19, %18, %18
        }
    }
}
`;
const code = `
cs_variant:
     0:\tcallq\t*%rax
cs_co_variant:
     0:\tpushq\t%rbp
     1:\tvmovups\t(%rax), %ymm0
     5:\tvfmadd213ps\t%ymm0, %ymm1, %ymm2
     a:\tvpextrd\t$3, %xmm0, (%rcx,%rdx,4)
     f:\tvmovaps\t%ymm0, 32(%rsp)
    14:\tjne\t-20
cs_co_variant.resume:
     0:\tcmpl\t$1, (%rax)
     3:\tretq
`;

describe("bench explain", () => {
  it("counts what drivers print, by kernel and stage", () => {
    const output = `noise\n${marker}a.b\ninfo:\n/* Dumped SPIRV disassembly */${spirv}\ninfo:\nmore\n${marker}\n`;
    const [found, ...more] = readDriverTexts(output, `\n${marker}a.b\n${nir}\n${code}\n${marker}\n`);
    expect([found.kernel, more.length]).deep.equal(["a.b", 0]);
    const counts = Object.fromEntries(found.stages.map((stage) => [stage.name, stage.counts]));
    expect(counts["SPIR-V"]).include({
      loads: 1,
      stores: 1,
      shared_loads: 0,
      shared_stores: 1,
      barriers: 1,
      fma: 1,
      loops: 1,
    });
    expect(counts["NIR"]).include({
      loads: 1,
      stores: 0,
      add: 1,
      fma: 1,
      barriers: 1,
      branches: 1,
      loops: 1,
      instructions: 4,
    });
    expect(counts["x86-64"]).include({
      memory_loads: 2,
      memory_stores: 2,
      stack: 1,
      by_lane: 1,
      fma: 1,
      branches: 1,
      loops: 1,
      calls: 0,
      instructions: 8,
      bytes: 0x15 + 4,
    });
  });

  it("leaves out the stages that nobody printed", () => {
    expect(readDriverTexts(`\n${marker}a.b\n\n${marker}\n`, "")).deep.equal([{ kernel: "a.b", stages: [] }]);
  });

  for (const [args, problem] of [
    [["matmul.gemv_shufle"], /matmul\.gemv_shufle: no such version; did you mean "matmul\.gemv_shuffle"\?/],
    [["matmul.gemv", "--shape", "9 rows"], /--shape 9 rows: no such shape; a part of one of: qkv 768→2304, 1 row; /],
    [["attention.query", "--dtype", "q8"], /only matmul has q8 weights/],
    [[], /wrong number of arguments/],
  ] as const)
    it(`refuses ${args.join(" ") || "nothing"}`, async () => {
      const error: unknown = await bench(["explain", ...args]).catch((thrown: unknown) => thrown);
      expect(error).instanceOf(EngineError);
      expect((error as EngineError).toLine()).match(problem);
    });
});
