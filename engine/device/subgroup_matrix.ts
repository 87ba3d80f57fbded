/** Dawn's feature, which no standard has yet: adapters have it where `allow_unsafe_apis` is on (engine/node/dawn.ts). */
export const subgroupMatrix = "chromium-experimental-subgroup-matrix" as GPUFeatureName;

/** Matrices that the subgroups of a device multiply: M by K times K by N. */
export interface SubgroupMatrixConfig {
  readonly componentType: "f16" | "f32";
  readonly resultComponentType: "f16" | "f32";
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** What a kernel needs of subgroup matrices. */
export interface SubgroupMatrixNeeds extends SubgroupMatrixConfig {
  /** Lanes that a subgroup may have: larger subgroups would be too few for a workgroup's matrices. */
  readonly mostLanes: number;
}

interface MatrixAdapterInfo {
  readonly subgroupMaxSize?: number;
  readonly subgroupMatrixConfigs?: readonly SubgroupMatrixConfig[];
}

/** Whether a device multiplies such matrices. */
export function hasSubgroupMatrix(info: GPUAdapterInfo, needs: SubgroupMatrixNeeds): boolean {
  const { subgroupMaxSize = Infinity, subgroupMatrixConfigs = [] } = info as MatrixAdapterInfo;
  const isMeant = (config: SubgroupMatrixConfig): boolean =>
    (["componentType", "resultComponentType", "M", "N", "K"] as const).every((key) => config[key] === needs[key]);
  return subgroupMaxSize <= needs.mostLanes && subgroupMatrixConfigs.some(isMeant);
}

/** Such as `matrices f16 16x16x16 to f32 in subgroups of at most 32 lanes`. */
export function describeSubgroupMatrix(needs: SubgroupMatrixNeeds): string {
  const { componentType, resultComponentType, M, N, K, mostLanes } = needs;
  return `matrices ${componentType} ${M}x${N}x${K} to ${resultComponentType} in subgroups of at most ${mostLanes} lanes`;
}
