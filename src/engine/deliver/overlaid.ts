/** The store with some of its calls answered by others; all the rest are its own. */
export const overlaid = <Store extends object, Own extends object>(
  store: Store,
  own: Own,
): Store & Own =>
  new Proxy(store as Store & Own, {
    get: (target, name) => {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
