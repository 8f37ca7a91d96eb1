import { count, list, object, text, verbatim } from './schema.ts';
import { Type } from './type-builder.ts';

/* The store's answers to Hugging Face Hub clients (docs/hub-endpoint.md). The names are the Hub's: https://huggingface.co/docs/hub/api */

/** The Hub's format of every error answer. */
export const hubError = object(
  { error: text() },
  { description: 'What went wrong; also in the headers `X-Error-Message` and, where clients know one, `X-Error-Code`' },
);

const lastCommit = Type.Optional(
  object({ id: text(), title: text(), date: text() }, { description: 'The last commit of the repo; only with `expand`' }),
);

/** An entry of a listing. */
export const hubTreeEntry = Type.Union([
  object({
    type: Type.Literal('file'),
    oid: text({ description: 'The git blob id of the content; for an LFS file, of its pointer' }),
    size: count(),
    path: verbatim(),
    lfs: Type.Optional(object({ oid: text({ description: 'The sha256' }), size: count(), pointerSize: count() })),
    lastCommit,
  }),
  object({ type: Type.Literal('directory'), oid: text(), size: count(), path: verbatim(), lastCommit }),
]);

export const hubTree = list(hubTreeEntry);

const described = {
  _id: text(),
  id: text(),
  modelId: text(),
  author: Type.Optional(text({ description: 'Absent if the id has no organization' })),
  sha: text({ description: 'The commit' }),
  lastModified: text(),
  private: Type.Literal(false),
  gated: Type.Literal(false),
  disabled: Type.Literal(false),
  downloads: count(),
  likes: count(),
  createdAt: text(),
  tags: list(text()),
  library_name: Type.Optional(text()),
  pipeline_tag: Type.Optional(text()),
  usedStorage: count(),
};

/** A model. */
export const hubModel = object({
  ...described,
  cardData: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'The front matter of README.md' })),
  gguf: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: 'Only for a GGUF file: `total` parameters, `architecture`, `context_length`, `chat_template`',
    }),
  ),
  siblings: list(
    object({
      rfilename: verbatim(),
      size: Type.Optional(count()),
      blobId: Type.Optional(text()),
      lfs: Type.Optional(object({ sha256: text(), size: count(), pointerSize: count() })),
    }),
    { description: 'Its files; with sizes and ids when `blobs` is given' },
  ),
});

/** The models of a store. */
export const hubModels = list(object(described));

export const hubRefs = object({
  branches: list(object({ name: text(), ref: text(), targetCommit: text() })),
  converts: list(text()),
  tags: list(text()),
  pullRequests: Type.Optional(list(text(), { description: 'Always empty; only with `include_prs`' })),
});

export const hubCommits = list(
  object({ id: text(), title: text(), message: text(), authors: list(object({ user: text() })), date: text() }),
);

export const hubAccess = object({}, { description: 'A caller that gets this answer may read the model' });

export const hubHarnesses = object(
  { standardEnvVars: list(text()), harnesses: object({}) },
  { description: 'Always empty; `hf` requests it at each start' },
);
