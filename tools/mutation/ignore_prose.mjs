import { declareValuePlugin, PluginKind } from "@stryker-mutator/api/plugin";

/** Leaves texts for people (literals with a blank in them) as they are: a changed wording is not a fault. */
const prose = {
  shouldIgnore({ node }) {
    if (node.type === "StringLiteral" && node.value.includes(" ")) return "text for people";
    if (node.type === "TemplateLiteral" && node.quasis.some(({ value }) => value.raw.includes(" ")))
      return "text for people";
    return undefined;
  },
};

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, "prose", prose)];
