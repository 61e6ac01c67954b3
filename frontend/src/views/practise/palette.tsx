/** Buttons that type chainrule's language; the names are those of the forward pass. */

interface Key {
  shown: string;
  typed: string;
  name: string;
  /** How far the caret goes back into brackets. */
  back?: number;
}

const KEYS: Key[] = [
  { shown: "⊙", typed: " .* ", name: "elementwise product" },
  { shown: "Aᵀ", typed: "^T", name: "transpose" },
  { shown: "x²", typed: "^2", name: "square" },
  { shown: "Σᵢ", typed: "sum_i ", name: "sum over i" },
  { shown: "aᵢ", typed: "_i", name: "index i" },
  { shown: "σ( )", typed: "sigmoid()", name: "sigmoid", back: 1 },
  { shown: "log( )", typed: "log()", name: "logarithm", back: 1 },
  { shown: "exp( )", typed: "exp()", name: "exponential", back: 1 },
  { shown: "sum( )", typed: "sum()", name: "sum of all entries", back: 1 },
  { shown: "( )", typed: "()", name: "brackets", back: 1 },
  { shown: "1ᵀ", typed: "1^T", name: "row vector of ones" },
  { shown: "dJ/d", typed: "dJ/d", name: "derivative of J" },
];

const MOST_NAMES = 14;

export function Palette({ names, onInsert }: { names: string[]; onInsert: (piece: string, back: number) => void }) {
  return (
    <div class="palette" role="group" aria-label="Insert">
      {names.slice(0, MOST_NAMES).map((name) => (
        <button key={name} type="button" class="small" onClick={() => onInsert(name, 0)}>{name}</button>
      ))}
      {KEYS.map((key) => (
        <button key={key.name} type="button" class="small" title={key.name} onClick={() => onInsert(key.typed, key.back ?? 0)}>
          <span aria-hidden="true">{key.shown}</span>
          <span class="spoken">{key.name}</span>
        </button>
      ))}
    </div>
  );
}
