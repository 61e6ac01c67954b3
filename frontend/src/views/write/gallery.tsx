/** Forward passes to start from. */
import { gallery, text, write } from "../../state/board";

export function Gallery() {
  const groups = gallery.value?.groups ?? [];
  if (!groups.length) return null;
  return (
    <section class="gallery" aria-labelledby="gallery-title">
      <h2 id="gallery-title">Gallery</h2>
      {groups.map((group, at) => (
        <details key={group.title} open={at === 0}>
          <summary>
            {group.title} <span class="muted">{group.items.length}</span>
          </summary>
          <ul>
            {group.items.map((item) => (
              <li key={item.id}>
                <button
                  type="button"
                  aria-pressed={item.text.trim() === text.value.trim()}
                  onClick={() => {
                    write(item.text);
                    scrollTo(0, 0);
                  }}
                >
                  {item.title}
                </button>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </section>
  );
}
