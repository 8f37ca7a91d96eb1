const modelName = '[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?';
const modelPath = new RegExp(`^/(${modelName}(?:/${modelName})?)$`);
/** The pages of the Hub at these addresses are parts of the model's page here. */
const below = /^(\/[^/]+\/[^/]+)\/(?:tree|blob)(?:\/.*)?$/;

/** The model whose page is at a path: the model's id after a slash, as on the Hub. Pure. */
export function modelOfPath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return modelPath.exec(below.exec(decoded)?.[1] ?? decoded)?.[1];
  } catch {
    return undefined;
  }
}

/** The path of a model's page. */
export const pathOfModel = (modelId: string): string => `/${modelId}`;
