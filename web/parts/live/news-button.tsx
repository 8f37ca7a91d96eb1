import type { ReactElement } from 'react';

/** Says how much is new while a list is being read, and shows it. It stays in sight and moves nothing. */
export function NewsButton({ words, onShow }: { readonly words: string | undefined; readonly onShow: () => void }): ReactElement {
  return (
    <div className="news" role="status">
      {words !== undefined && (
        <button type="button" className="news-button" onClick={onShow}>
          {words}
        </button>
      )}
    </div>
  );
}
