//! Words that tell what a prompt is about, and stop words: one table of hashes, built at compile time.
use super::mix::{self, WordHash};
use super::prompt::Topics;

/// A word or a pair of words, and what it tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Upper half of the word's hash; 0 marks a free slot.
    tag: u32,
    /// Topics that it speaks for.
    pub(super) topics: u16,
    flags: u8,
}

const STOP: u8 = 1;
const STRONG: u8 = 1 << 1;
const ENDS_PAIR: u8 = 1 << 2;

impl Entry {
    const FREE: Self = Self {
        tag: 0,
        topics: 0,
        flags: 0,
    };

    /// Whether the word stands in any text, whatever that is about.
    pub(super) const fn is_stop(self) -> bool {
        self.flags & STOP != 0
    }

    /// Whether one hit is enough for its topic.
    pub(super) const fn is_strong(self) -> bool {
        self.flags & STRONG != 0
    }

    /// Whether the word is the second of a pair.
    pub(super) const fn ends_pair(self) -> bool {
        self.flags & ENDS_PAIR != 0
    }

    /// What tells this entry from others.
    pub(super) const fn tag(self) -> u32 {
        self.tag
    }
}

/// Slots, a power of two; under half of them are taken, so that most searches end at the first.
const SLOTS: usize = 2048;

static TABLE: [Entry; SLOTS] = build();

/// The entry of a word, or of two words by [`mix::pair`].
#[inline]
pub(super) fn find(hash: u64) -> Option<Entry> {
    let tag = tag_of(hash);
    let mut at = slot_of(hash);
    loop {
        let entry = TABLE.get(at & (SLOTS - 1))?;
        if entry.tag == tag {
            return Some(*entry);
        }
        if entry.tag == 0 {
            return None;
        }
        at = at.wrapping_add(1);
    }
}

const fn tag_of(hash: u64) -> u32 {
    mix::upper(hash) | 1
}

#[expect(clippy::as_conversions, reason = "only the low bits count")]
const fn slot_of(hash: u64) -> usize {
    hash as usize & (SLOTS - 1)
}

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated at compile time, where a fault is an error of compilation"
)]
const fn build() -> [Entry; SLOTS] {
    let mut table = [Entry::FREE; SLOTS];
    add(&mut table, STOP_WORDS, Topics(0), STOP);
    let mut at = 0;
    while at < TOPICS.len() {
        let (topic, strong, weak) = TOPICS[at];
        add(&mut table, strong, topic, STRONG);
        add(&mut table, weak, topic, 0);
        at += 1;
    }
    table
}

/// Adds phrases of one or two words, parted by commas.
const fn add(table: &mut [Entry; SLOTS], phrases: &str, topic: Topics, flags: u8) {
    let mut rest = phrases.as_bytes();
    let (mut first, mut hash, mut empty) = (None, WordHash::new(), true);
    while let [byte, after @ ..] = rest {
        rest = after;
        let ends = matches!(*byte, b',') || rest.is_empty();
        if !matches!(*byte, b',' | b' ') {
            hash.push(*byte);
            empty = false;
        }
        if *byte == b' ' && !empty {
            first = Some(hash.finish());
            (hash, empty) = (WordHash::new(), true);
        }
        if ends && !empty {
            let word = hash.finish();
            if let Some(first) = first {
                put(table, word, Topics(0), ENDS_PAIR);
                put(table, mix::pair(first, word), topic, flags);
            } else {
                put(table, word, topic, flags);
            }
            (hash, empty) = (WordHash::new(), true);
            first = None;
        }
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time, where a fault is an error of compilation"
)]
const fn put(table: &mut [Entry; SLOTS], hash: u64, topic: Topics, flags: u8) {
    let mut at = slot_of(hash);
    while table[at].tag != 0 && table[at].tag != tag_of(hash) {
        at = at.wrapping_add(1) & (SLOTS - 1);
    }
    let entry = &mut table[at];
    entry.tag = tag_of(hash);
    entry.topics |= topic.0;
    entry.flags |= flags;
}

const STOP_WORDS: &str = "a,an,the,this,that,these,those,some,any,each,every,all,both,no,not,nor,and,or,but,if,then,\
else,when,while,where,which,who,whom,whose,what,why,how,because,so,than,as,of,at,by,for,with,without,about,against,\
between,into,through,during,before,after,above,below,to,from,up,down,in,out,on,off,over,under,again,once,here,there,\
i,me,my,mine,we,us,our,ours,you,your,yours,he,him,his,she,her,hers,it,its,they,them,their,theirs,is,am,are,was,were,be,\
been,being,have,has,had,do,does,did,will,would,shall,should,can,could,may,might,must,only,also,very,just,more,most,\
other,such,same,own,too,now,please,let,make,use,using,give,given,following,one,two,per,via,etc,don't,it's,i'm,you're,\
must,within,should,like,new,get,want,need,der,die,das,und,ein,eine,ist,nicht,mit,von,zu,le,la,les,et,un,une,est,\
de,du,des,que,qui,el,los,las,y,en,es,por,para,con,il,che,di,o,os,da,em,и,в,не,на,что,с,как,по,это";

/// Topic, phrases of which one is enough, phrases of which several are needed.
const TOPICS: [(Topics, &str, &str); 12] = [
    (
        Topics::SOFTWARE,
        "stack trace,pull request,unit test,unit tests,code review,source code,refactor,software engineer,software \
         engineering,failing test,failing tests,git diff,codebase,this function,bug fix,code snippet,swe bench,segfault",
        "code,function,functions,class,method,variable,compile,compiler,bug,bugs,debug,debugging,error,exception,api,\
         python,rust,javascript,typescript,java,golang,kotlin,sql,html,css,bash,shell,script,regex,library,framework,\
         repository,repo,commit,branch,merge,deploy,docker,kubernetes,linux,server,backend,frontend,database,query,\
         async,thread,pointer,array,string,struct,loop,recursion,algorithm,endpoint,test,tests,pytest,cargo,npm,\
         package,dependency,patch,diff,implement,implementation,developer,programmer,engineer,programming,software",
    ),
    (
        Topics::AGENTIC,
        "tool calls,tool call,function calling,available tools,use tools,call tools,autonomous agent,ai agent,\
         coding agent,multi agent,sub agent,subagent,subagents,tool use,tool orchestration,agent loop,computer use,\
         next action,mcp server,tool results",
        "agent,agents,tool,tools,action,actions,observation,environment,browser,terminal,workspace,execute,invoke,\
         orchestrate,orchestrator,delegate,autonomously,trajectory,sandbox,click,screenshot,memory,state",
    ),
    (
        Topics::PLANNING,
        "long horizon,project plan,detailed plan,task decomposition,multi step,execution plan,break down,subtasks,\
         step plan,dependency graph,critical path,roadmap",
        "plan,planning,milestone,milestones,steps,phases,phase,schedule,timeline,decompose,subgoal,subgoals,goal,goals,\
         prioritize,strategy,stages,sequence,backlog,deadline,deadlines,constraints,risks,rollout,migration",
    ),
    (
        Topics::MATH,
        "prove that,formal proof,theorem,lemma,olympiad,integral of,closed form,real numbers,positive integers,\
         positive integer,probability that,word problem",
        "prove,proof,equation,equations,integral,derivative,matrix,polynomial,integer,integers,prime,modulo,\
         probability,geometry,triangle,algebra,calculus,solve,sum,product,divisible,inequality,function,math,\
         mathematics,mathematical,arithmetic,logarithm,vector,eigenvalue,fraction,angle,radius,compute",
    ),
    (
        Topics::ELICITATION,
        "internal reasoning,reasoning process,reasoning behind,reasoning trace,reasoning traces,thought process,\
         of thought,chain-of-thought,your reasoning,hidden reasoning,completed response,every step,step reasoning,\
         inner monologue,reasoning steps,reasoning chain,think aloud,thinking process,intermediate steps,\
         detailed reasoning,full reasoning,complete reasoning,scratchpad,reasoning that,verbalize,reason aloud",
        "reasoning,articulate,step by,by step,explicitly,derivation,rationale,justify,thoughts,thinking,deliberate,\
         reflect,reflection,self-correct,verify,reconstruct,show your,explain why,walk through,imagine,internal,\
         explain every,think carefully,explain each,conclusion,considered,alternatives",
    ),
    (
        Topics::RUBRIC,
        "rubric,rubrics,grading criteria,scoring criteria,evaluation criteria,reward model,better response,\
         assistant a,assistant b,response a,response b,answer a,answer b,pairwise comparison,preference data,likert,\
         impartial judge,scale from,model answer,candidate answer,candidate answers,candidate response,\
         candidate responses,rank the,grade the,score the,rate the,to 5,to 10,assign a,which response,which answer",
        "grade,grading,score,scores,scoring,criteria,criterion,judge,rate,rating,rank,ranking,evaluate,evaluation,\
         compare,comparison,helpfulness,correctness,quality,verdict,preference,preferred,evaluator,assess,weighted,\
         points,justification,critique",
    ),
    (
        Topics::REWRITE,
        "rewrite the,rewrite this,paraphrase,paraphrases,training data,training examples,training example,\
         synthetic data,data augmentation,instruction tuning,fine tuning,instruction following,given prompt,\
         new prompt,seed task,seed tasks,similar questions,diverse set,diverse tasks,new tasks,rewritten prompt,\
         instruction response,diverse instructions,question answer,seed example,more variations,instruction and",
        "rewrite,rephrase,reword,variation,variations,variants,diverse,dataset,instruction,instructions,examples,\
         example,generate,create,augment,samples,harder,complex,complexity,evolve,persona,personas,similar,jsonl,\
         seed,tone,style,neutral,original,version,prompt,prompts",
    ),
    (
        Topics::DOCUMENTS,
        "provided context,following document,following documents,following passage,context below,document below,\
         retrieved documents,extract the,extract all,knowledge base,based on,according to,the invoice,\
         cite the,the passage,named entities",
        "document,documents,passage,extract,extraction,context,invoice,contract,fields,citation,citations,cite,\
         source,sources,pdf,table,page,section,clause,retrieve,entities,policy,article,report,schema,attached,\
         records,excerpt,transcript,answer",
    ),
    (
        Topics::SUMMARY,
        "summarize,summarise,summary,tl;dr,tldr,bullet points,key points,main points,key takeaways,executive summary,\
         meeting notes",
        "brief,concise,shorten,overview,condense,recap,abstract,highlights,takeaways,gist,digest,synopsis,minutes,\
         sentences,bullets",
    ),
    (
        Topics::TRANSLATION,
        "translate,translation,translator,into english,into french,into german,into spanish,into japanese,\
         into chinese,to english,to french,to german,to spanish,to japanese,to chinese,localize,localization",
        "english,french,german,spanish,italian,portuguese,japanese,chinese,korean,arabic,russian,hindi,language,\
         languages,native,fluent,idiom,idiomatic,bilingual,glossary",
    ),
    (
        Topics::CHAT,
        "advice on,should i,how are,what do,do you,my friend,my boss,my girlfriend,my boyfriend,my wife,my husband,\
         recommend me,customer support,support agent,thank you",
        "hello,hi,hey,thanks,feel,feeling,advice,recommend,recommendation,suggest,friend,friends,family,weekend,\
         dinner,recipe,movie,birthday,trip,travel,vacation,gift,health,sleep,job,interview,relationship,workout,\
         customer,customers,friendly,polite,chat,conversation,help,question",
    ),
    (
        Topics::CREATIVE,
        "short story,write a poem,a poem,a story,once upon,haiku,sonnet,limerick,screenplay,song lyrics,fan fiction,\
         plot twist,baby names,blog post,tagline,taglines,slogan",
        "story,stories,poem,poems,poetry,character,characters,plot,fiction,novel,chapter,scene,dialogue,narrator,\
         protagonist,villain,fantasy,dragon,kingdom,lyrics,rhyme,metaphor,creative,whimsical,names,name,title,titles,\
         humor,funny,joke,fairy",
    ),
];

/// The share of slots taken.
#[cfg(test)]
pub(super) fn load() -> f64 {
    let taken = TABLE.iter().filter(|entry| entry.tag != 0).count();
    taken as f64 / SLOTS as f64
}
