// A helper of the build with threads: shares the engine's memory and computes with it until the engine's worker ends.
onmessage = async ({ data: { folder, name, module, memory, thread_stack_size } }) => {
  try {
    // Under Trusted Types, the address of a script needs a policy.
    self.trustedTypes?.createPolicy('default', { createScriptURL: (address) => (address.startsWith(folder) ? address : null) });
  } catch { /* There is one already, or the host allows none: importing then fails. */ }
  try {
    importScripts(`${folder}${name}.js`);
    await wasm_bindgen({ module_or_path: module, memory, thread_stack_size });
    wasm_bindgen.join();
  } catch {
    postMessage('absent'); // The engine computes without this helper.
    return;
  }
  postMessage('joined');
  try {
    wasm_bindgen.help();
  } catch (trapped) {
    wasm_bindgen.report_failure();
    throw trapped;
  }
};
