// Begins the worker of the page that holds all its files: they come with the first message, and `fetch` finds them
// there. The scripts that the worker imports follow below, in this very file.
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
