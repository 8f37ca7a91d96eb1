import type { AddressFormat } from '../../../parts/address/address-format.ts';
import type { ListView, SortKey } from './list-models.ts';

const sorts: readonly SortKey[] = ['name', 'size', 'added', 'used'];
const usualSort: SortKey = 'size';

/** Whether the first click on a column has the largest value, or the newest, at the top. Pure. */
export const isUsuallyDescending = (sort: SortKey): boolean => sort !== 'name';

/** The filter and the order of the list in the address: `q=qwen&tag=vision&sort=used&order=up`. */
export const listAddress: AddressFormat<ListView> = {
  parse: (query) => {
    const sort = sorts.find((one) => one === query.get('sort')) ?? usualSort;
    const order = query.get('order');
    return {
      words: query.get('q') ?? '',
      tags: [...new Set(query.getAll('tag'))],
      sort,
      isDescending: order === 'up' ? false : order === 'down' || isUsuallyDescending(sort),
    };
  },
  format: ({ words, tags, sort, isDescending }) => {
    const query = new URLSearchParams();
    if (words !== '') query.append('q', words);
    for (const tag of tags) query.append('tag', tag);
    if (sort !== usualSort) query.append('sort', sort);
    if (isDescending !== isUsuallyDescending(sort)) query.append('order', isDescending ? 'down' : 'up');
    return query;
  },
};
