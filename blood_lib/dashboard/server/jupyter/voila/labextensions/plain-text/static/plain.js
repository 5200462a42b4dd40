// Voilà sets formulas with MathJax, and loads the megabyte of it whether there is a formula or not. Here is none: this
// sets them in its place, by doing nothing. Written in the form that JupyterLab's extensions have once they are built.
{
  let shared; // by all extensions: module -> version -> how to get it
  const plugin = async () => {
    const [rendermime] = Object.values(shared["@jupyterlab/rendermime"]);
    const { ILatexTypesetter } = (await rendermime.get())();
    return { id: "plain-text:plugin", provides: ILatexTypesetter, activate: () => ({ typeset() {} }) };
  };
  window._JUPYTERLAB ??= {};
  window._JUPYTERLAB["plain-text"] = {
    init: (modules) => (shared = modules),
    get: async () => {
      const found = await plugin();
      return () => ({ __esModule: true, default: found });
    },
  };
}
