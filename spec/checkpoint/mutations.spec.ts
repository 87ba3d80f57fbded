import { expect } from "chai";
import { readNpy } from "../../checkpoint/numpy/npy.ts";
import { TorchFile } from "../../checkpoint/torch/torch_file.ts";
import { ZipReader } from "../../checkpoint/zip.ts";
import { MemorySource } from "../../checkpoint/sources/memory.ts";
import { loadOrRefuse } from "../support/mutations/mutation_run.ts";
import { mutateBytes, type Random } from "../support/mutations/mutations.ts";
import { readNpz } from "../support/files/npz.ts";
import { numpyArrays } from "../support/files/numpy_fixture.ts";
import { readFixture } from "../support/runtime.ts";
import { zipBytes, type ZipEnd, type ZipMember } from "../support/files/zip_bytes.ts";

const arrays = numpyArrays.filter(({ npy }) => npy.length > 128);

const loadNpy = async (file: Uint8Array): Promise<void> => void (await readNpy(new MemorySource("voice.npy", file)));
const loadNpz = async (file: Uint8Array): Promise<void> => void (await readNpz(new MemorySource("voice.npz", file)));

/** Another number in the header, its length and the data as they were. */
function mutateHeader(npy: Uint8Array, random: Random): Uint8Array {
  const text = new TextDecoder("latin1").decode(npy.subarray(10, 128));
  const numbers = ["0", "1", "2", "4", "8", "99999999", "4294967296", "9".repeat(17), "1, 1", ",", "-1", "i", ">", "'"];
  const places = [...text.matchAll(/\d+|[<>|iuf'()]|True|False/g)];
  const place = random.pick(places);
  const changed = text.slice(0, place.index) + random.pick(numbers) + text.slice(place.index + place[0].length);
  const file = npy.slice();
  file.set(new TextEncoder().encode(changed.slice(0, 118).padEnd(118)), 10);
  return file;
}

const mutateNpy = (npy: Uint8Array, random: Random): Uint8Array =>
  random.below(2) === 0 ? mutateBytes(npy, random) : mutateHeader(npy, random);

/** An archive of three arrays, of which one is damaged before it is packed, or a field of the archive is wrong. */
function mutateArchive(random: Random): Uint8Array {
  const members: ZipMember[] = [0, 1, 2].map((i) => ({
    name: `${i}.npy`,
    content: random.pick(arrays).npy,
    deflated: random.below(2) === 0,
    zip64: random.below(4) === 0,
  }));
  const end: ZipEnd = { zip64: random.below(4) === 0 };
  const one = members[random.below(3)];
  const odd = random.pick([0, 1, 9, 127, 129, 1000, 2 ** 16, 2 ** 25, 2 ** 31, 2 ** 32 - 2]);
  const kind = random.below(8);
  if (kind === 0) one.size = odd;
  else if (kind === 1) one.packedSize = odd;
  else if (kind === 2) one.method = random.pick([0, 8, 9, 12, 99]);
  else if (kind === 3) [one.size, one.packedSize] = [odd, random.pick([0, 9, 2 ** 25])];
  else one.content = mutateNpy(one.content, random);
  return zipBytes(members, end);
}

describe("mutations of numpy's files", () => {
  it("loads or refuses 1,000 of an .npy: its bytes, its header", async () => {
    const mutate = (random: Random): Uint8Array => mutateNpy(random.pick(arrays).npy, random);
    const loaded = await loadOrRefuse("voice.npy", mutate, loadNpy);
    expect(loaded).to.be.within(30, 600);
  });

  it("loads or refuses 1,000 of an .npz: its bytes, its fields, its members", async () => {
    const content = arrays.slice(0, 3).map(({ npy }, i) => ({ name: `${i}.npy`, content: npy, deflated: i === 1 }));
    const whole = zipBytes(content);
    await loadNpz(whole);
    const mutate = (random: Random): Uint8Array =>
      random.below(2) === 0 ? mutateBytes(whole, random) : mutateArchive(random);
    const loaded = await loadOrRefuse("voice.npz", mutate, loadNpz);
    expect(loaded).to.be.within(30, 600);
  });
});

const views = await readFixture("torch/views/protocol_2.pt");
const viewsZip = await ZipReader.open(new MemorySource("views", views));
const viewsMembers: ZipMember[] = [];
for (const entry of viewsZip.entries.values())
  viewsMembers.push({ name: entry.name, content: await viewsZip.read(entry, 1 << 20) });
const weights = ["F32", "F16", "BF16", "F64"];

async function loadTorch(file: Uint8Array): Promise<void> {
  const torch = await TorchFile.open(new MemorySource("model.pt", file));
  for (const name of torch.names()) {
    const { dtype, shape } = torch.info(name);
    if (!weights.includes(dtype)) continue;
    const size = shape.reduce((product, extent) => product * extent, 1);
    expect((await torch.readFloat32(name)).length, name).to.equal(size);
    if (size > 0 && shape.length > 0) await torch.gatherRows(name, [shape[0] - 1, 0]);
  }
  await torch.close();
}

/** Operations and numbers of a pickle exchanged for others, its length as it was. */
function mutateOperations(pickle: Uint8Array, random: Random): Uint8Array {
  const copy = pickle.slice();
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = 2 + random.below(copy.length - 3);
    // A byte of the pickle itself: mostly an operation, a number or a letter where another of its kind stood.
    copy[at] = random.below(2) === 0 ? copy[2 + random.below(copy.length - 3)] : random.below(256);
  }
  return copy;
}

/** The archive with another pickle in it, or with one field of a member wrong. */
function mutateMembers(random: Random): Uint8Array {
  const members = viewsMembers.map((member) => ({ ...member }));
  const pickle = members.find(({ name }) => name.endsWith("data.pkl"))!;
  const one = random.pick(members);
  const odd = random.pick([0, 1, 15, 17, 1000, 2 ** 16, 2 ** 25, 2 ** 31, 2 ** 32 - 2]);
  const kind = random.below(8);
  if (kind === 0) one.size = odd;
  else if (kind === 1) one.packedSize = odd;
  else if (kind === 2) [one.size, one.packedSize] = [odd, odd];
  else if (kind === 3) one.method = random.pick([8, 9, 99]);
  else if (kind === 4) one.content = mutateBytes(one.content, random);
  else pickle.content = (kind < 7 ? mutateOperations : mutateBytes)(pickle.content, random);
  return zipBytes(members, { zip64: random.below(4) === 0 });
}

describe("mutations of torch's files", () => {
  it("loads the file as it is, and packed again", async () => {
    await loadTorch(views);
    await loadTorch(zipBytes(viewsMembers));
  });

  it("loads or refuses 1,000 of the archive: its bytes, its fields", async () => {
    const mutate = (random: Random): Uint8Array =>
      random.below(2) === 0 ? mutateBytes(views, random) : mutateMembers(random);
    expect(await loadOrRefuse("model.pt", mutate, loadTorch)).to.be.within(50, 700);
  });

  it("loads or refuses 1,000 of the pickle", async () => {
    const mutate = (random: Random): Uint8Array => {
      const change = random.below(2) === 0 ? mutateBytes : mutateOperations;
      const repack = (member: ZipMember): ZipMember =>
        member.name.endsWith("data.pkl") ? { ...member, content: change(member.content, random) } : member;
      return zipBytes(viewsMembers.map(repack));
    };
    expect(await loadOrRefuse("model.pt", mutate, loadTorch)).to.be.within(20, 700);
  });
});
