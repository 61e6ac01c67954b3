/** A typed error: what is wrong, where, and the repair one click away. */
import type { Failure } from "../types";

interface Props {
  failure: Failure;
  /** Applies the repair; without it none is offered. */
  mend?: (failure: Failure) => void;
  id?: string;
}

export function Fault({ failure, mend, id }: Props) {
  const { message, line, column, source } = failure;
  return (
    <div class="fault" id={id}>
      <p>
        <b>{line ? `Line ${line}: ` : ""}</b>
        {message}
      </p>
      {source && (
        <pre class="source" aria-hidden="true">
          {source}
          {"\n"}
          {column ? `${" ".repeat(column - 1)}^` : ""}
        </pre>
      )}
      {failure.mend && mend && (
        <button type="button" class="main" onClick={() => mend(failure)}>
          {failure.mend.label}
        </button>
      )}
    </div>
  );
}
