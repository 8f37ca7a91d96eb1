const modelName = '[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?';
const modelPath = new RegExp(`^/(${modelName}(?:/${modelName})?)$`);
/** What the Hub shows at these addresses is a part of the model's page here. */
const below = /^(\/[^/]+\/[^/]+)\/(?:tree|blob)(?:\/.*)?$/;

/** The model whose page is at a path, which is the model's id behind a slash, as on the Hub. Pure. */
export function modelOfPath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return modelPath.exec(below.exec(decoded)?.[1] ?? decoded)?.[1];
  } catch {
    return undefined;
  }
}

/** Where the page of a model is. */
export const pathOfModel = (modelId: string): string => `/${modelId}`;
