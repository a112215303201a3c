// The state of a radix search for the n-th largest score, of equal scores the first: some bits at a time,
// first of the score's bit pattern, then of the place, which counts down from the tensor's last index.
// Linked constant DIGIT_BITS: bits of a digit.
const BINS = 1u << DIGIT_BITS;
// What a search looks for.
const BITS = 0u;
const PLACE = 1u;
const DONE = 2u;

struct Search {
  model: u32,
  // Rank of the element that is searched for, among those that have the digits found so far.
  left: u32,
  // The digits found so far.
  bits: u32,
  place: u32,
  // The digit at hand.
  shift: u32,
  width: u32,
  stage: u32,
  // Bits of the largest place.
  place_bits: u32,
  // Bits that occur in any score, and the number of scores that are 0.
  used: atomic<u32>,
  zeros: atomic<u32>,
  // Whether equal scores had to be told apart by their place.
  tied: u32,
  // Whether they need not be.
  scores_only: u32,
}
