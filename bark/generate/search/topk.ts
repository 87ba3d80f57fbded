/**
 * The places of the `k` largest values, the largest first, NaN counting as larger than all: torch.topk on a CPU. Where values
 * are equal torch keeps whatever order its C++ library leaves them in, and beams without a choice (all -inf, or all NaN) go
 * on with those. So this is that library's way: libstdc++'s partial_sort for few of many, else nth_element and sort.
 */
export function topk(values: ArrayLike<number>, k: number): number[] {
  const places = Array.from({ length: values.length }, (_, i) => i);
  const before = (a: number, b: number): boolean =>
    (Number.isNaN(values[a]) && !Number.isNaN(values[b])) || values[a] > values[b];
  if (k * 64 <= places.length) partialSort(places, 0, k, places.length, before);
  else {
    nthElement(places, k - 1, before);
    introsort(places, 0, k - 1, 2 * log2(k - 1), before);
    finalInsertion(places, 0, k - 1, before);
  }
  return places.slice(0, k);
}

type Before = (a: number, b: number) => boolean;

const log2 = (n: number): number => (n < 1 ? 0 : 31 - Math.clz32(n));

function swap(a: number[], i: number, j: number): void {
  [a[i], a[j]] = [a[j], a[i]];
}

function siftDown(a: number[], first: number, hole: number, length: number, value: number, before: Before): void {
  const top = hole;
  let child = hole;
  while (child < (length - 1) >> 1) {
    child = 2 * (child + 1);
    if (before(a[first + child], a[first + child - 1])) child--;
    a[first + hole] = a[first + child];
    hole = child;
  }
  if ((length & 1) === 0 && child === (length - 2) >> 1) {
    child = 2 * (child + 1);
    a[first + hole] = a[first + child - 1];
    hole = child - 1;
  }
  let parent = (hole - 1) >> 1;
  while (hole > top && before(a[first + parent], value)) {
    a[first + hole] = a[first + parent];
    hole = parent;
    parent = (hole - 1) >> 1;
  }
  a[first + hole] = value;
}

/** Leaves the first elements up to `middle` of [first, last) as a heap in [first, middle). */
function heapSelect(a: number[], first: number, middle: number, last: number, before: Before): void {
  const length = middle - first;
  for (let parent = (length - 2) >> 1; parent >= 0; parent--)
    siftDown(a, first, parent, length, a[first + parent], before);
  for (let i = middle; i < last; i++)
    if (before(a[i], a[first])) {
      const value = a[i];
      a[i] = a[first];
      siftDown(a, first, 0, length, value, before);
    }
}

function partialSort(a: number[], first: number, middle: number, last: number, before: Before): void {
  heapSelect(a, first, middle, last, before);
  for (let end = middle - 1; end > first; end--) {
    const value = a[end];
    a[end] = a[first];
    siftDown(a, first, 0, end - first, value, before);
  }
}

/** Divides [first, last) by the median of three of its elements. @returns where the second part begins. */
function partition(a: number[], first: number, last: number, before: Before): number {
  const [x, y, z] = [first + 1, first + ((last - first) >> 1), last - 1];
  const [xy, yz, xz] = [before(a[x], a[y]), before(a[y], a[z]), before(a[x], a[z])];
  swap(a, first, xy ? (yz ? y : xz ? z : x) : xz ? x : yz ? z : y);
  let [low, high] = [first + 1, last];
  for (;;) {
    while (before(a[low], a[first])) low++;
    high--;
    while (before(a[first], a[high])) high--;
    if (low >= high) return low;
    swap(a, low, high);
    low++;
  }
}

function nthElement(a: number[], nth: number, before: Before): void {
  let [first, last] = [0, a.length];
  for (let depth = 2 * log2(last); last - first > 3; depth--) {
    if (depth === 0) {
      heapSelect(a, first, nth + 1, last, before);
      swap(a, first, nth);
      return;
    }
    const cut = partition(a, first, last, before);
    if (cut <= nth) first = cut;
    else last = cut;
  }
  insertionSort(a, first, last, before);
}

/** Below this many elements insertion is faster. */
const few = 16;

function introsort(a: number[], first: number, last: number, depth: number, before: Before): void {
  for (; last - first > few; depth--) {
    if (depth === 0) return partialSort(a, first, last, last, before);
    const cut = partition(a, first, last, before);
    introsort(a, cut, last, depth - 1, before);
    last = cut;
  }
}

function finalInsertion(a: number[], first: number, last: number, before: Before): void {
  const sorted = Math.min(last, first + few);
  insertionSort(a, first, sorted, before);
  for (let i = sorted; i < last; i++) insert(a, i, before);
}

function insertionSort(a: number[], first: number, last: number, before: Before): void {
  for (let i = first + 1; i < last; i++)
    if (before(a[i], a[first])) a.splice(first, 0, ...a.splice(i, 1));
    else insert(a, i, before);
}

function insert(a: number[], i: number, before: Before): void {
  const value = a[i];
  for (; before(value, a[i - 1]); i--) a[i] = a[i - 1];
  a[i] = value;
}
