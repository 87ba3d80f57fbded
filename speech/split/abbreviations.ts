/**
 * Abbreviations that a full stop follows, by language: `inside` never ends a sentence (a name or number follows), `last`
 * may. Written without the stop and in lower case. A wrong split is heard as a fall of the voice in mid-sentence; a wrong
 * merge is not heard, since short sentences share a piece anyway. So in doubt a word is in `inside`.
 */
interface Abbreviations {
  readonly inside: ReadonlySet<string>;
  readonly last: ReadonlySet<string>;
  /** Words that begin a sentence: after a `last` abbreviation they decide, where capitals alone do not. */
  readonly starters?: ReadonlySet<string>;
  /** "3. Oktober": a stop after a number is an ordinal's. */
  readonly ordinals: boolean;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

const titles = "mr mrs ms dr prof st mt ft jr sr rev hon gen col capt lt sgt maj cmdr gov sen rep pres messrs mme mlle";
const latin = "vs p pp cf e.g i.e eg ie ca approx fig figs vol ed eds ch sec art al op cit ibid est";

const english: Abbreviations = {
  inside: words(`${titles} ${latin} ave blvd rd tel ext dept univ gal tbsp tsp`),
  last: words(
    "a.m p.m u.s u.s.a u.k u.n e.u d.c b.c a.d etc inc ltd co corp bros esq ph.d m.d b.a m.a jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri hr hrs lb oz",
  ),
  starters: words(
    "i you he she it we they this that these those the a an my your his her its our their there here who what when where why how is are was were do does did can could will would shall should may might must if in on at as for from with after before since while although because but and or so then now today yesterday tomorrow no yes not let please however",
  ),
  ordinals: false,
};

const byLanguage: Readonly<Record<string, Abbreviations>> = {
  en: english,
  de: {
    inside: words(
      "z.b z. d.h d. u.a u.u i.d.r o.ä s.o s.u vgl bzw ca dr prof hr fr hrn nr str st bd s abs art evtl ggf inkl exkl max min mio mrd tel usf bspw sog geb gest v.chr n.chr jh jhd kap abb anm aufl hg hrsg dipl ing mag zzgl z b h i u a o",
    ),
    last: words("usw etc u.a.m u.v.m ag gmbh jan feb mär apr jun jul aug sep sept okt nov dez mo di mi do so"),
    starters: words(
      "ich du er sie es wir ihr das der die dieser diese dieses ein eine mein dein sein unser euer hier dort wer was wann wo warum wie ist sind war waren hat haben kann können wird werden wenn in im am an auf als für von mit nach vor seit während weil aber und oder dann nun jetzt heute gestern morgen nein ja nicht bitte",
    ),
    ordinals: true,
  },
  es: {
    inside: words(
      "sr sra srta dr dra prof profa d dña ud uds vd vds p pág págs núm nº art av avda c gral cap tel vol ed fig p.ej ej aprox ee.uu ee st sto sta",
    ),
    last: words("etc cía s.a s.l a.m p.m a.c d.c"),
    ordinals: false,
  },
  fr: {
    inside: words(
      "m mm mme mmes mlle mlles dr pr prof me st ste av bd boul p pp art chap fig n no nos tel tél éd env cf p.ex ex réf vol",
    ),
    last: words("etc cie s.a j.-c"),
    ordinals: false,
  },
  it: {
    inside: words(
      "sig sigg sig.ra sig.na dott dott.ssa prof prof.ssa avv ing arch geom on rag s ss p pag pagg art cap fig n nr tel v vol ca es cfr p.es",
    ),
    last: words("ecc etc s.p.a s.r.l a.c d.c"),
    ordinals: false,
  },
  pt: {
    inside: words(
      "sr sra srta dr dra prof profa d dna eng exmo exma av r p pág págs art cap fig n nº núm tel v vol ex p.ex aprox",
    ),
    last: words("etc cia s.a ltda a.c d.c"),
    ordinals: false,
  },
  pl: {
    inside: words(
      "p pan np tzn tj m.in dr prof mgr inż hab ul al pl nr str s rys tab r w ok tel ks św gen płk por red wyd t tys mln mld godz min ww",
    ),
    last: words("itd itp etc"),
    ordinals: true,
  },
  tr: {
    inside: words("dr prof doç av sn bkz s ss örn vb no cad sok mah apt tel yy m.ö m.s çev haz st alb yrd"),
    last: words("vs vb vd a.ş ltd şti"),
    ordinals: true,
  },
  ru: {
    inside: words(
      "г гг г-н г-жа д-р проф акад доц им ул пр пл пер наб д кв стр с рис табл т тт тыс млн млрд руб коп см ср напр т.е т.к т.н св о обл р-н тел н.э до",
    ),
    last: words("т.д т.п др пр н.э"),
    ordinals: false,
  },
  hi: { inside: words("डॉ श्री श्रीमती प्रो पं"), last: words(""), ordinals: false },
  ja: { inside: words(titles), last: words(""), ordinals: false },
  ko: { inside: words(titles), last: words(""), ordinals: false },
  zh: { inside: words(titles), last: words(""), ordinals: false },
};

/** Bark's thirteen languages; English for any other. */
export function abbreviationsOf(language: string): Abbreviations {
  return byLanguage[language] ?? english;
}
