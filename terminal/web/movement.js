// What a transaction at the counter does to the customer's points, as a word and a signed number. Pure.

const MINUS = "−";

// `effect`: signed points. A reversal gives back what was redeemed, and takes back everything else.
export function movement({ kind, points, effect }, words, format) {
  const back = kind === "reverse";
  const given = back ? effect > 0 : kind !== "redeem";
  const name = back ? (given ? words.givenBack : words.takenBack) : words.kind[kind] ?? kind;
  return { name, change: `${given ? "+" : MINUS}${format.whole(points)}`, unit: words.points(points) };
}

