/**
 * The process in which `bench kernels` measures. A kernel that does not end, or that ends the process, takes this one with
 * it, and the command goes on in another: a software adapter computes on this process's own threads, which nothing in it
 * can stop.
 */
import "../../../engine/node/index.ts";
import { workOfChild } from "./child_work.ts";

workOfChild();
