// The beginning of the worker of the page in one file: the first message brings the files, and `fetch` answers from
// them. The scripts that the worker imports follow below, in this same file.
{
  const arrived = new Promise((resolve) => addEventListener('message', ({ data }) => resolve(data), { once: true }));
  const fetchElsewhere = self.fetch;
  self.fetch = async (resource, init) => {
    const { folder, files } = await arrived;
    const { href } = new URL(resource.url ?? resource, folder);
    const name = href.startsWith(folder) ? href.slice(folder.length) : '';
    return Object.hasOwn(files, name) ? new Response(files[name]) : fetchElsewhere(resource, init);
  };
  self.importScripts = () => {};
}
