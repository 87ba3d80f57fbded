/** The process in which `bench:peers kernels` measures. */
import "../../../engine/node/index.ts";
import { workOfChild } from "../../kernels/process/child_work.ts";
import { nodeLibraries } from "./node_libraries.ts";
import { startEngine } from "./start_engine.ts";

workOfChild(({ device }) => startEngine(nodeLibraries(device)));
