import type { AddressFormat } from '../../../parts/address/address-format.ts';
import type { ListView, Place, SortKey } from './list-models.ts';

const sorts: readonly SortKey[] = ['name', 'size', 'added', 'used'];
const places: readonly Place[] = ['all', 'here', 'nowhere'];
const usualSort: SortKey = 'size';

/** Whether the first click on a column has the largest value, or the newest, at the top. Pure. */
export const isUsuallyDescending = (sort: SortKey): boolean => sort !== 'name';

/** The filter and the order of the list in the address: `q=qwen&tag=vision&staged=here&sort=used&order=up`. */
export const listAddress: AddressFormat<ListView> = {
  parse: (query) => {
    const sort = sorts.find((one) => one === query.get('sort')) ?? usualSort;
    const order = query.get('order');
    return {
      words: query.get('q') ?? '',
      tags: [...new Set(query.getAll('tag'))],
      place: places.find((one) => one === query.get('staged')) ?? 'all',
      sort,
      isDescending: order === 'up' ? false : order === 'down' || isUsuallyDescending(sort),
    };
  },
  format: ({ words, tags, place, sort, isDescending }) => {
    const query = new URLSearchParams();
    if (words !== '') query.append('q', words);
    for (const tag of tags) query.append('tag', tag);
    if (place !== 'all') query.append('staged', place);
    if (sort !== usualSort) query.append('sort', sort);
    if (isDescending !== isUsuallyDescending(sort)) query.append('order', isDescending ? 'down' : 'up');
    return query;
  },
};
